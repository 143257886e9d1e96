"""Product collections: named sets of products and SKUs that rules include, exclude and bundle."""
