"""A simulated plant with real OPC UA and Modbus TCP servers: a program of its own.

``python -m mes_adapters.simulator --help`` says how to run it.
"""
