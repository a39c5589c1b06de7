#!/bin/sh
# Writes the variables of deploy/compose.yaml with fresh secrets: sh deploy/new-env.sh portal.example.com you@example.com > deploy/.env
set -eu
umask 077
[ $# -eq 2 ] || { echo "usage: sh deploy/new-env.sh BASE_DOMAIN MAIL" >&2; exit 2; }
random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }
cat <<END
# <slug>.$1 is a portal; the mail address is for the issuer of certificates
FXO_BASE_DOMAIN=$1
FXO_ACME_MAIL=$2

# Keep a copy of the master key apart from the backups: without it personal data cannot be read again
FXO_MASTER_KEY=$(random)
FXO_SECRET_KEY=$(random)

POSTGRES_PASSWORD=$(random)
FXO_APP_PASSWORD=$(random)
FXO_SYSTEM_PASSWORD=$(random)
FXO_OPERATOR_PASSWORD=$(random)
END
