"""Locations: named areas that the geopoints of customers, products and SKUs may lie in."""
