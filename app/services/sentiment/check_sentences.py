"""Sentences of sales calls on which a quicker form of a model must agree with the model itself."""

CHECK_SENTENCES = tuple(
    """\
That sounds great.
I love it, thank you so much.
We are very happy with the service.
This would solve our problem.
It works really well for our team.
Wonderful, let us get started.
That is exactly what we were looking for.
The support team was friendly and quick.
I'm impressed by how simple the setup was.
Yes, please send me the contract today.
The new version is a huge improvement.
Everyone here enjoys working with it.
You have been incredibly helpful.
Perfect, that fits our budget.
We saved about ten hours a week since we switched.
Excellent, I will recommend it to my colleagues.
The demo was fantastic.
I'm glad that we talked.
That's a fair price for what we get.
It was worth every cent.
I feel much better about this now.
Your engineers did a brilliant job.
The rollout went smoothly and on time.
Good news, the board approved it.
I really appreciate your patience.
This is the best tool that we have ever had.
We'd be delighted to renew for two years.
Finally something that just works.
My manager is thrilled with the results.
Thanks, that answers everything.
The training was clear and fun.
It looks beautiful on the phone.
Customers keep telling us how easy it has become.
I can't wait to show this to the team.
It's a bit too expensive for our budget.
This is terrible.
I want to cancel my account.
We are not happy with the service.
It never works for our team.
No, we are not interested.
The system was down again this morning.
I have been waiting on the line for forty minutes.
Nobody called me back, and I'm tired of it.
That is a complete waste of money.
The last update broke all our reports.
Your invoice is wrong for the third time.
I'm very disappointed with how this was handled.
Honestly, the competitor is cheaper and better.
We lost two customers because of this bug.
It is slow, confusing and ugly.
I don't trust these numbers at all.
That was the worst support I have ever had.
You promised a refund and nothing came.
The contract is unfair and we won't sign it.
My team hates the new interface.
This is a serious problem for us.
I regret that we ever bought it.
The salesman lied to me.
It crashed in the middle of our biggest event.
That's ridiculous, I won't pay for it.
We had nothing but trouble since the start.
The quality has become worse every month.
I'm afraid that this will not work for us.
It failed the security review.
The delay has hurt our business badly.
Please stop calling me.
I'm angry that my data was lost.
There is no way that we can accept these terms.
The meeting is on Tuesday at ten.
What is the best number for your office?
The price is nine hundred dollars a month.
We have about forty people in the office.
I will send you the proposal by Friday.
Our contract ends in March.
How does it work with your system?
Could you spell your last name for me?
I'm calling from the head office in Denver.
We use two tools at the moment.
Let me share my screen.
The second page shows the list of users.
Is there somebody else who should join the call?
It takes around three weeks to set up.
My colleague handles the accounts in Europe.
You can find the button in the upper corner.
I joined the company four years ago.
We talked about it last quarter.
Okay, one moment, I'm opening the file.
The office is closed between Christmas and New Year.
And how many licences do you have today?
So the first step is the import of the data.
That sounds great, but it's too expensive for our budget.
I like the idea, although the timing is bad.
It was hard at first, but now it is wonderful.
The product is good, the support is awful.
We were not unhappy with it.
It's not the worst that I have seen.
Not bad at all.
I wish that I could say that I'm satisfied.
It could be better, but it does the job.
We had doubts, and all of them are gone.
I don't hate it, I just don't need it.
The price went up, so we are looking around.
Well, it is what it is.
Great, another bug.
I would be happy if it worked.
Your competitor offered us the same for half of the price.
There's nothing that I would change.
I was sceptical, and I was wrong.
Nothing works, as usual.
Yes.
No.
Hmm.
Thank you, goodbye.
Sure, why not.
We already told your colleague that the export is missing half of the rows, that the totals are wrong and \
that nobody in finance can close the month, and still there is no date for a correction.
I spoke with our finance director yesterday, she looked through the whole offer line by line, and she is \
very pleased with it, so we would like to go ahead as soon as you can start.
The plan is to move the first site in April, the second one in June and the rest after the summer, and your \
people would get access to the test system two weeks before each of these dates.
""".splitlines()
)
