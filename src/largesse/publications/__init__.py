"""Publications: handing codes to customers, once each, and what came of it."""
