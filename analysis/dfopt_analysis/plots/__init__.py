"""Pictures of a decision log: one module a picture, all drawn by matplotlib
without a display. style.py has what they share."""
