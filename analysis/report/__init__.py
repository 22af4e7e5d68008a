from analysis.report.rendering import render

__all__ = ["render"]
