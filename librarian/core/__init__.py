"""Pure rooms: values in, values out."""
