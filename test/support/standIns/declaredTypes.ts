import * as fs from "node:fs";
import ts from "typescript";
import type { Types } from "./strict";

/**
 * The interfaces of a generated Pulumi SDK, in the notation of {@link Types}: from the `.d.ts` files, by their names. Of those
 * that are in a namespace, the ones in `namespaces`.
 */
export function declaredTypes(files: readonly string[], namespaces: readonly string[] = []): Types {
    const types: Record<string, Record<string, string>> = {};
    for (const file of files) {
        const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
        const visit = (node: ts.Node): void => {
            if (ts.isInterfaceDeclaration(node)) {
                types[node.name.text] = membersOf(node, source);
            } else if (ts.isModuleDeclaration(node) && namespaces.includes(node.name.text)) {
                node.body?.forEachChild(visit);
            }
        };
        source.forEachChild(visit);
    }
    return types;
}

function membersOf(node: ts.InterfaceDeclaration, source: ts.SourceFile): Record<string, string> {
    const members = node.members.filter(ts.isPropertySignature).map((member) => {
        const type = notation(member.type as ts.TypeNode, source);
        return [member.name.getText(source), member.questionToken ? type : `${type}!`];
    });
    return Object.fromEntries(members) as Record<string, string>;
}

function notation(type: ts.TypeNode, source: ts.SourceFile): string {
    if (ts.isUnionTypeNode(type)) {
        const some = type.types.filter((one) => one.kind !== ts.SyntaxKind.UndefinedKeyword);
        return notation(some[0] as ts.TypeNode, source);
    }
    if (ts.isArrayTypeNode(type)) {
        return `${notation(type.elementType, source)}[]`;
    }
    if (ts.isTypeLiteralNode(type)) {
        const [index] = type.members;
        return `{${notation((index as ts.IndexSignatureDeclaration).type, source)}}`;
    }
    if (ts.isTypeReferenceNode(type)) {
        const name = type.typeName.getText(source);
        if (name === "pulumi.Input") {
            return notation(type.typeArguments?.[0] as ts.TypeNode, source);
        }
        // Enumerations of strings; other types of the SDK's own.
        return name.startsWith("enums.") ? "string" : (name.split(".").pop() as string);
    }
    return type.getText(source);
}
