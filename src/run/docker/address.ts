/** An address of a daemon as it may be shown: without the password that somebody has written into it. */
export function withoutPassword(address: string): string {
    const hasScheme = /^[a-z][a-z\d+.-]*:\//i.test(address);
    // Up to the last `@`: in what is no URL, the password may have any character.
    const secret = hasScheme ? /^([^:]*:\/+[^:/@]*):.*@/s : /^([^:/@]*):.*@/s;
    return address.replace(secret, "$1:***@");
}

/** What stands in an address that can't be in one; undefined if there is nothing of that. */
export function addressFault(address: string): string | undefined {
    if (address.startsWith("unix:")) {
        return undefined;
    }
    const shown = withoutPassword(address);
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url ? url.password !== "" : shown !== address) {
        return `the Docker host ${JSON.stringify(shown)} has a password, which would be shown wherever the address is; leave it out`;
    }
    if (url && !(isDecodable(url.username) && isDecodable(url.pathname))) {
        return `the Docker host ${JSON.stringify(shown)} has a % that stands for no character; write % itself as %25`;
    }
    return undefined;
}

function isDecodable(text: string): boolean {
    try {
        decodeURIComponent(text);
        return true;
    } catch {
        return false;
    }
}
