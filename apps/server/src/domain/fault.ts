/** What is wrong in a file that a person wrote, and what was expected there. Lines and columns start at 1. */
export interface FileFault {
  file: string;
  line: number;
  column: number;
  message: string;
  expected: string;
}

/** `issue-assigned.yaml:3:5: unknown key "step"; expected one of name, on, steps` */
export const formatFault = ({ file, line, column, message, expected }: FileFault): string =>
  `${file}:${line}:${column}: ${message}; expected ${expected}`;
