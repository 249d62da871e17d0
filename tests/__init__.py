"""The suite: `unit property scenarios integration e2e architecture`, helpers in `support`."""
