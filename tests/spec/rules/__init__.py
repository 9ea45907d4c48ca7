"""The rules of the planner, in parts; ../model.py is the program."""
