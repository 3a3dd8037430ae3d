"""What script/bench measures: the link and the server against baselines that run beside them."""
