"""What goes out in the words of standards that are drafts, by the commands, on a private chain."""
