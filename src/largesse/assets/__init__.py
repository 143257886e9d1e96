"""Images of codes: QR and Code 128, as PNG and SVG."""
