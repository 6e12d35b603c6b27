"""An adapter a module; docs/networks/ has a page for each."""
