#!/usr/bin/env bash
# The certificates of a cluster and who uses them: `pki.sh DIR`.
set -euo pipefail
DIR=$1
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
umask 077
mkdir -p "$PKI"
cd "$PKI"

key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

issue() { # NAME SUBJECT USAGE [ALTERNATIVE NAMES]
    openssl req "${key[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    {
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=$3"
        [[ -z ${4:-} ]] || echo "subjectAltName=$4"
    } >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
    rm "$1.csr" "$1.ext"
}

kubeconfig() { # FILE CERTIFICATE
    cat >"$1" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $2, user: {client-certificate-data: $(base64 -w0 "$2.crt"), client-key-data: $(base64 -w0 "$2.key")}}]
contexts: [{name: test, context: {cluster: test, user: $2}}]
current-context: test
END
}

openssl req -x509 "${key[@]}" -days 3650 -subj /CN=test-ca -keyout ca.key -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
service=kubernetes.default.svc
issue apiserver /CN=kube-apiserver serverAuth \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SERVICE_IP"
issue kubelet-server "/O=system:nodes/CN=system:node:$NODE" serverAuth "DNS:$NODE,IP:$NODE_IP,IP:127.0.0.1"
issue admin /O=system:masters/CN=admin clientAuth
issue apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
issue controller-manager /CN=system:kube-controller-manager clientAuth
issue scheduler /CN=system:kube-scheduler clientAuth
issue kubelet "/O=system:nodes/CN=system:node:$NODE" clientAuth
issue proxy /CN=system:kube-proxy clientAuth
openssl genrsa -out sa.key 2048 2>/dev/null
openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null

for component in controller-manager scheduler kubelet proxy; do
    kubeconfig "$CONF/$component.kubeconfig" "$component"
done
kubeconfig "$DIR/kubeconfig" admin
