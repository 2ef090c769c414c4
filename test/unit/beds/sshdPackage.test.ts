import { missingLibraries, packageOf } from "../../support/docker/sshdPackage";

test("the libraries that sshd misses are those that ldd does not find", () => {
    const said = [
        "\tlinux-vdso.so.1 (0x00007ffd)",
        "\tlibwrap.so.0 => not found",
        "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)",
        "\tlibnsl.so.2 => not found",
    ];
    expect(missingLibraries(said.join("\n"))).toEqual(["libwrap.so.0", "libnsl.so.2"]);
    expect(missingLibraries("\tstatically linked\n")).toEqual([]);
});

test.each([
    ["libwrap.so.0", "libwrap0"],
    ["libnsl.so.2", "libnsl2"],
    ["libtirpc.so.3", "libtirpc3"],
    ["libcom_err.so.2", "libcom-err2"],
    ["libkrb5.so.3", "libkrb5-3"],
    ["libgssapi_krb5.so.2", "libgssapi-krb5-2"],
])("%s is in the package %s", (library, name) => {
    expect(packageOf(library)).toBe(name);
});
