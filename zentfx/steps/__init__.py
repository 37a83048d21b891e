"""Steps: the parts that pipelines are made of."""
