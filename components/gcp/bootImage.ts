/** `project/family`, or the path of an image or of a family. */
export const IMAGE = /^(projects\/[^/\s]+\/global\/images\/(family\/)?[^/\s]+|[^/\s]+\/[^/\s]+)$/;

/** The path by which the API finds it: there, a name alone would be an image, and never a family. */
export function imagePath(image: string): string {
    const [project, family, ...more] = image.split("/");
    return more.length > 0 ? image : `projects/${project}/global/images/family/${family}`;
}
