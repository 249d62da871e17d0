"""The frame: broker, time, signals, wiring. Decides nothing about stock."""
