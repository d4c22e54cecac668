/** From now on `os.tmpdir()` answers this folder, in libraries and in programs that inherit our environment too. */
export function keepTemporaryFilesIn(folder: string): void {
  process.env["TMPDIR"] = folder;
}
