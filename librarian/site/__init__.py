"""The site folder: our own files in it, swapping it in whole, the page as one file, a preview."""
