#!/bin/sh
# /usr/local/bin/ramp in the image.
exec node --no-warnings "${APP_ROOT:-/app}/dist/ramp.mjs" "$@"
