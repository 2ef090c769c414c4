import { masker } from "../../../src/run/mask";

it.each([
    [["abc"], "abc and abcabc", "*** and ******"],
    [["key", "key-and-more"], "key-and-more, key", "***, ***"],
    [["line one\nline two\nab"], "see line two; ab", "see ***; ab"],
    [["$& .* \\1"], "a $& .* \\1 b", "a *** b"],
    [[""], "nothing", "nothing"],
])("with secrets %j, %j becomes %j", (secrets, text, masked) => expect(masker(secrets)(text)).toBe(masked));
