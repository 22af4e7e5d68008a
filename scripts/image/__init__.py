"""Builds golive's images without a registry: a base of Debian's packages, wheels made here, and buildah."""
