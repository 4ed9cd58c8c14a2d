"""HTML: filling templates, the page with live charts, the one without a script."""
