"""What a teacher is told when a file gives no essay: what is wrong and what to do."""

from common_core.status_enums import FileErrorCode

SAVE_IT_AS = "Save the essay as Word document (.docx), OpenDocument (.odt), RTF, PDF or plain text and upload that."


class ExtractionFailed(Exception):
    """This file gives no essay; `detail` tells the teacher why, and the way out."""

    def __init__(self, code: FileErrorCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def encrypted() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED,
        "This document is protected by a password. Save it without a password and upload it again.",
    )


def unsupported() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        f"This kind of file cannot be read. {SAVE_IT_AS}",
    )


def old_word() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        "This is an old Office document (such as .doc), which cannot be read. Open it in Word or LibreOffice, save it "
        "as Word document (.docx) and upload that.",
    )


def pages_document() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        "This is a document of Apple's Pages, which cannot be read. In Pages, choose File, Export To, Word or PDF, "
        "and upload that.",
    )


def web_page() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        f"This is a web page or another file of markup, whatever its name says. {SAVE_IT_AS}",
    )


def picture() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        "This is a picture; text in pictures cannot be read. Upload the original document, or type the essay anew.",
    )


def archive() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TYPE_UNSUPPORTED,
        "This is an archive, not an essay. Unpack it and upload the files that are in it.",
    )


def damaged(kind: str) -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.TEXT_EXTRACTION_FAILED,
        f"This {kind} seems to be damaged. Open it on your computer, save it anew and upload that.",
    )


def scanned() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.TEXT_EXTRACTION_FAILED,
        "There is no text in this PDF that could be read; it seems to be scanned. "
        "Upload the original document, or a PDF saved from it.",
    )


def gave_no_answer(why: str) -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.TEXT_EXTRACTION_FAILED,
        f"Reading this file {why}. Copy its text into a new document and upload that.",
    )


def too_large(limit: int) -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.FILE_TOO_LARGE,
        f"Unpacked, this document holds more than {limit // 1_000_000} MB of text and formatting. "
        "Copy the essay into a new document and upload that.",
    )


def empty() -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.EMPTY_CONTENT,
        "There is no text in this file. Check that it is the right one and upload it again.",
    )


def too_short(length: int, shortest: int) -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.CONTENT_TOO_SHORT,
        f"The text has {length} characters, fewer than the {shortest} of the shortest essay. Upload the complete text.",
    )


def too_long(found: str, longest: int, unit: str) -> ExtractionFailed:
    return ExtractionFailed(
        FileErrorCode.CONTENT_TOO_LONG,
        f"The text has {found} {unit}; an essay has at most {longest:,}. Upload each essay as a file of its own.",
    )
