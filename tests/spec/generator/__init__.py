"""What generated event logs are made of; ../gen_findings.py is the program."""
