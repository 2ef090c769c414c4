/**
 * Loads a package that only one target needs, and that its users install beside stackrun.
 * @throws Error that says what to install.
 */
export async function loadPeer<T>(name: string, load: () => Promise<T>, what: string): Promise<T> {
    try {
        return await load();
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if ((code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") && message.includes(name)) {
            throw new Error(
                `${what} needs the package ${name}, which is not installed: npm install ${name}`,
                {
                    cause: error,
                },
            );
        }
        throw error;
    }
}
