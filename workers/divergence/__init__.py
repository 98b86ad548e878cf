"""The head of the policy ``divergence``: how its labels are made, how it is trained, and how it judges a token.

After "R2R: Efficiently Navigating Divergent Reasoning Paths with Small-Large Model Token Routing" (arXiv 2505.21600),
sections 3.2 and 3.3.
"""
