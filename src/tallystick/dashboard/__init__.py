"""The page where people look: a data folder's numbers over HTTP, and the same page as files."""
