"""One person's hand: gathers samples of it and fits the model's last layer to it, on the device."""
