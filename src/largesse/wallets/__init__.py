"""What loyalty cards hold: buckets of points and points that are pending."""
