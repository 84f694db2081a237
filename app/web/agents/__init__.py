"""The pages of teams and agents: what their calls come to, beside one another and over time; reels of them."""
