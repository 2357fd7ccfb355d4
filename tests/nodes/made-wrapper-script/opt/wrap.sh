#!/bin/sh
exec "$@" --make-iptables-util-chains=false
