"""People with wages and cards, and the banks behind them: what becomes of a charge at any moment.

Pure: the standard library, one table of parameters, and a seed. It knows no store, no HTTP and no planner, and the same
payer gives the same answer at the same moment whatever was asked before, unless banks themselves would mind.
"""
