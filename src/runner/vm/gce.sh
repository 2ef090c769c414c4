# shellcheck shell=sh
# What Google Cloud has of its own: the metadata server, the machine's identity, the notice, switching off.
# https://cloud.google.com/compute/docs/metadata/overview
sr_metadata=${STACKRUN_METADATA_URL:-http://metadata.google.internal}/computeMetadata/v1/instance

sr_ask() { # path, curl's further options: what the metadata server says
    sr_path=$1
    shift
    curl -fsS -m 10 -H 'Metadata-Flavor: Google' "$@" "$sr_metadata/$sr_path"
}

sr_token() { # of the machine's service account; never on a command line
    sr_ask service-accounts/default/token | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p' | grep . ||
        { echo 'this machine has no service account that could act for it' >&2; return 1; }
}

sr_cloud_login() { # image: where its registry takes the machine's identity
    case $1 in */*) sr_host=${1%%/*} ;; *) return 0 ;; esac
    case $sr_host in
        *-docker.pkg.dev | gcr.io | *.gcr.io) ;;
        *) case " ${STACKRUN_REGISTRIES-} " in *" $sr_host "*) ;; *) return 0 ;; esac ;;
    esac
    sr_access=$(sr_token) || return
    # Its warning that the token is kept in a file is no news: the file is in memory.
    sr_answer=$(printf '%s' "$sr_access" | docker login -u oauth2accesstoken --password-stdin "$sr_host" 2>&1) ||
        { printf '%s\n' "$sr_answer" >&2; return 1; }
}

sr_cloud_notice() { # ends when Google has announced that it takes the machine
    sr_etag=
    while :; do
        # With `wait_for_change` alone, a change that came before would be missed.
        sr_headers=$(sr_ask "preempted?alt=text${sr_etag:+&wait_for_change=true&timeout_sec=60&last_etag=$sr_etag}" -m 90 -D - 2>/dev/null) || sr_headers=
        case $sr_headers in *TRUE*) return 0 ;; esac
        sr_etag=$(printf '%s\n' "$sr_headers" | tr -d '\r' | sed -n 's/^[Ee][Tt][Aa][Gg]: *//p')
        [ -n "$sr_etag" ] || sleep 1
    done
}

sr_cloud_taken() {
    [ "$(sr_ask 'preempted?alt=text' -m 2 2>/dev/null)" = TRUE ]
}

sr_cloud_secret() { # projects/…/secrets/…/versions/…: prints its value
    sr_access=$(sr_token) || return
    sr_answer=$(
        printf 'header = "Authorization: Bearer %s"\n' "$sr_access" |
            curl -sS -m 20 -K - -w '\n%{http_code}' "${STACKRUN_SECRETS_ENDPOINT:-https://secretmanager.googleapis.com/v1}/$1:access"
    ) || return
    case $sr_answer in
        *'
200')
            printf '%s\n' "$sr_answer" | tr -d '\n' | sed -n 's/.*"data" *: *"\([^"]*\)".*/\1/p' | base64 -d
            ;;
        *)
            printf '%s\n' "$sr_answer" | tr -d '\n' |
                sed -n 's/.*"message" *: *"\(\([^"\\]\|\\.\)*\)".*/\1/p' | grep . >&2 ||
                printf 'Secret Manager has answered with %s\n' "${sr_answer##*
}" >&2
            return 1
            ;;
    esac
}

# Container-Optimized OS brings the driver, and has its folders to be mounted; other images have NVIDIA's toolkit for Docker.
sr_cloud_gpus() { # prints docker's options, one a line
    if command -v cos-extensions > /dev/null 2>&1; then
        cos-extensions install gpu >&2 || return
        # Most of its folders are mounted noexec, and what is mounted from there would be, too.
        { mount --bind /var/lib/nvidia /var/lib/nvidia && mount -o remount,exec /var/lib/nvidia; } >&2 || return
        printf '%s\n' -v /var/lib/nvidia/lib64:/usr/local/nvidia/lib64:ro -v /var/lib/nvidia/bin:/usr/local/nvidia/bin:ro \
            -e LD_LIBRARY_PATH=/usr/local/nvidia/lib64
        for sr_file in /dev/nvidia*; do
            [ ! -c "$sr_file" ] || printf '%s\n' --device "$sr_file"
        done
    else
        nvidia-smi > /dev/null && printf '%s\n' --gpus "$STACKRUN_GPUS"
    fi
}

sr_cloud_off() {
    sync
    systemctl --no-block poweroff 2>/dev/null || poweroff || shutdown -h now
}
