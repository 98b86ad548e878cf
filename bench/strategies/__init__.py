"""Every strategy on the questions it is for, beside the vote that costs as much."""
