/**
 * Loads a package that only one target needs, and that its users install beside stackrun.
 * @throws Error that says what to install.
 */
export async function loadPeer<T>(name: string, load: () => Promise<T>, what: string): Promise<T> {
    try {
        return await load();
    } catch (error) {
        throw missingPeer(error, name, what) ?? error;
    }
}

/** The same where nothing can be waited for. */
export function requirePeer<T>(name: string, load: () => T, what: string): T {
    try {
        return load();
    } catch (error) {
        throw missingPeer(error, name, what) ?? error;
    }
}

// What to tell when such a package is not there; undefined if loading it failed for another reason.
function missingPeer(error: unknown, name: string, what: string): Error | undefined {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
    return missing && message.includes(name)
        ? new Error(`${what} needs the package ${name}, which is not installed: npm install ${name}`, {
              cause: error,
          })
        : undefined;
}
