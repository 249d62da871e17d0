"""What can be set (`settings`) and how it is logged (`logs`). Knows neither store nor broker."""
