"""Depthwise separable convolution, told three times: by hand, with torch, as algebra.

``functional`` says what a convolution is, ``layers`` how it is used, ``cost`` what it costs. The three never import
each other; they share only the plain numbers of ``geometry``. Import the module you need, for example
``from dslib import cost``.
"""
