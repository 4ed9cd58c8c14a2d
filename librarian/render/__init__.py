"""From a `Report` to bytes: pictures, JSON and CSV, pages."""
