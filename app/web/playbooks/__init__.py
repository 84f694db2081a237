"""The pages of playbooks: rules with how right they are, drafts tried and published."""
