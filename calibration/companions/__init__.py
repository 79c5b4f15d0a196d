"""The networks beside the tile classifier: quantized, judged, published."""
