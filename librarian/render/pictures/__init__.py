"""Drawing: figures, charts, style, and PNG and PDF in few bytes."""
