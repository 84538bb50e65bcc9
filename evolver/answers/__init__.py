"""What a provider sends back, read in one way for all of them: completions, refusals, failures."""
