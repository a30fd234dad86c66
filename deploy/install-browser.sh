#!/bin/sh
# Install Debian's chromium and a Chinese font for the browser tests, where that is possible.
set -u
have_browser() { command -v chromium >/dev/null 2>&1; }
have_font() { fc-list :lang=zh-cn 2>/dev/null | grep -q .; }
have_browser && have_font && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk fontconfig
fi
have_browser && have_font && exit 0
cat >&2 <<'MESSAGE'
*******************************************************************************
* chromium or a Chinese font is missing and could not be installed here.      *
* The browser tests cannot run. As root: apt install chromium fonts-noto-cjk  *
*******************************************************************************
MESSAGE
exit 1
