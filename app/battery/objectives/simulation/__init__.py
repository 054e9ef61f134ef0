"""Simulation of models. May import battery.expressions and objectives.models."""
