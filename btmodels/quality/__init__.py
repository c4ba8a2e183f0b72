"""The input check: is a picture an MRI slice of a head, and what is wrong with it?"""
