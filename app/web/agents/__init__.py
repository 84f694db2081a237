"""The pages of teams and agents: what their calls come to, side by side and over time; reels of them."""
