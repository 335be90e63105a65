"""A PDF made of a report's HTML, for servers without wkhtmltopdf: plain, and with every word.

It knows what reports are made of (headings, paragraphs, lists, tables, also tables in tables) and
no style sheets. Chinese, Japanese and Korean are written in fonts that every PDF reader has.
"""

import io
import re
from functools import lru_cache
from xml.sax.saxutils import escape

from lxml import html as lxml_html
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from reportlab.platypus.doctemplate import LayoutError

FAMILY = "BankConnect"
FACES = ("Regular", "Bold", "Italic", "BoldItalic")
# The rest of Chinese: STSong-Light.
EAST = {
    "zh_TW": "MSung-Light", "zh_HK": "MSung-Light",
    "ja": "HeiseiMin-W3", "ko": "HYSMyeongJo-Medium",
}
EASTERN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
SIZES = {"h1": 18, "h2": 15, "h3": 12, "h4": 11, "h5": 10, "h6": 10}
INLINE = {"a", "abbr", "b", "br", "code", "em", "i", "label", "s", "small", "span", "strong", "sub",
          "sup", "u"}  # fmt: skip
LEFT_OUT = {"head", "img", "link", "meta", "script", "style", "svg", "title"}
# Signs that Open Sans has not, and what says the same.
LIKE = str.maketrans({"▸": "›", "→": "›", "✓": "x"})
FRAME = 12 * 28.35 / 10  # 12 mm


def of_html(markup, *, title, fonts, lang="", wide=False):
    """The PDF.

    :param markup: the rendered report, as text
    :param title: of the document, and at the foot of each page
    :param fonts: the folder with Open Sans, which Odoo ships
    :param lang: Odoo's code of the language, which decides between Eastern fonts
    :param wide: landscape
    :return: bytes
    """
    size = landscape(A4) if wide else A4
    _western(fonts)
    feet = lxml_html.fromstring(markup).find_class("bc_foot")
    # What a report wants on every page beside the title.
    mark = " ".join(" ".join(each.text_content() for each in feet).split())
    for nested in (True, False):
        # A table in a table can't be broken over pages: where it is too long, it is unfolded.
        maker = _Maker(lang, size[0] - 2 * FRAME, nested)
        stream = io.BytesIO()
        document = SimpleDocTemplate(
            stream, pagesize=size, title=title, leftMargin=FRAME, rightMargin=FRAME,
            topMargin=FRAME, bottomMargin=FRAME + 12,
        )

        def foot(canvas, _document, maker=maker):
            canvas.setFont(maker.font(title), 7)
            canvas.drawString(FRAME, FRAME, title)
            canvas.drawString(FRAME, FRAME - 9, mark)
            canvas.drawRightString(size[0] - FRAME, FRAME, str(canvas.getPageNumber()))

        flow = maker.blocks(lxml_html.fromstring(markup), maker.width, {})
        try:
            document.build(flow or [Spacer(1, 1)], onFirstPage=foot, onLaterPages=foot)
        except LayoutError:
            if not nested:
                raise
        else:
            break
    return stream.getvalue()


@lru_cache(maxsize=1)
def _western(folder):
    names = []
    for face in FACES:
        names.append(f"{FAMILY}-{face}")
        pdfmetrics.registerFont(TTFont(names[-1], f"{folder}/Open_Sans-{face}.ttf"))
    pdfmetrics.registerFontFamily(FAMILY, *names)


@lru_cache(maxsize=8)
def _eastern(lang):
    name = EAST.get(lang) or EAST.get(lang[:2]) or "STSong-Light"
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    pdfmetrics.registerFontFamily(name, name, name, name, name)
    return name


class _Maker:
    """Makes what can be laid out on pages from elements."""

    def __init__(self, lang, width, nested):
        self.eastern, self.width, self.nested = _eastern(lang), width, nested

    def font(self, text):
        return self.eastern if EASTERN.search(text) else f"{FAMILY}-Regular"

    # -- blocks ---------------------------------------------------------------------------

    def blocks(self, element, width, style):
        """What stands in an element, one below the other.

        :param style: ``size``, ``bold`` and ``right`` of its texts
        """
        found, text = [], []

        def flush():
            words = "".join(text)
            text.clear()
            plain = re.sub(r"\s+", " ", words).strip()
            plain = re.sub(r"^(<br/> ?)+|( ?<br/>)+$", "", plain).strip()
            if re.sub("<[^>]+>", "", plain).strip():
                found.append(self._paragraph(plain, style))

        text.append(self._said(element.text))
        for child in element:
            tag = child.tag if isinstance(child.tag, str) else ""
            if tag in INLINE and not any(each.tag == "table" for each in child.iter()):
                text.append(self._inline(child))
            elif tag and tag not in LEFT_OUT:
                flush()
                found += self._block(child, tag, width, style)
            text.append(self._said(child.tail))
        flush()
        return found

    def _block(self, element, tag, width, style):
        if "footer" in (element.get("class") or "").split():
            return []  # each page has one of its own
        if "text-end" in (element.get("class") or "").split():
            style = {**style, "right": True}
        if tag == "table":
            return self._table(element, width, style)
        if tag in SIZES:
            style = {**style, "size": SIZES[tag], "bold": True}
            return [Spacer(1, 6), *self.blocks(element, width, style)]
        if tag == "hr":
            return [Spacer(1, 6)]
        if tag == "li":
            element.text = f"– {element.text or ''}"
        inside = self.blocks(element, width, style)
        if tag == "p":
            inside.append(Spacer(1, 4))
        return inside

    # -- texts ----------------------------------------------------------------------------

    def _paragraph(self, markup, style):
        size = style.get("size", 8)
        return Paragraph(
            f"<b>{markup}</b>" if style.get("bold") else markup,
            ParagraphStyle(
                "text", fontName=f"{FAMILY}-Regular", fontSize=size, leading=size * 1.3,
                alignment=TA_RIGHT if style.get("right") else TA_LEFT,
                wordWrap="CJK" if EASTERN.search(markup) else None,
            ),
        )

    def _said(self, text):
        """A text with what it needs to be read as one, and in a font that has its letters."""
        return EASTERN.sub(
            lambda found: f'<font name="{self.eastern}">{found.group()}</font>',
            escape((text or "").translate(LIKE)),
        )

    def _inline(self, element):
        if element.tag == "br":
            return "<br/>"
        inside = self._said(element.text) + "".join(
            (self._inline(child) if isinstance(child.tag, str) else "") + self._said(child.tail)
            for child in element
            if child.tag not in LEFT_OUT
        )
        mark = {"b": "b", "strong": "b", "i": "i", "em": "i"}.get(element.tag)
        return f"<{mark}>{inside}</{mark}>" if mark and inside else inside

    # -- tables ---------------------------------------------------------------------------

    def _table(self, element, width, style):
        rows = element.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
        heads = len(element.xpath("./thead/tr"))
        grid = [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]
        count = max((sum(map(_span, cells)) for cells in grid), default=0)
        if not count:
            return []
        holds_tables = any(cell.xpath(".//table") for cells in grid for cell in cells)
        if holds_tables and not self.nested:
            return [
                block for cells in grid for cell in cells
                for block in self.blocks(cell, width, style)
            ]
        widths = self._widths(grid, count, width)
        data, marks = [], [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
            *((name, (0, 0), (-1, -1), 3) for name in ("LEFTPADDING", "RIGHTPADDING")),
            *((name, (0, 0), (-1, -1), 2) for name in ("TOPPADDING", "BOTTOMPADDING")),
        ]
        for number, cells in enumerate(grid):
            line, place = [""] * count, 0
            for cell in cells:
                last = place + _span(cell) - 1
                look = {**style, "bold": cell.tag == "th" or style.get("bold")}
                if "text-end" in (cell.get("class") or "").split():
                    look["right"] = True
                line[place] = self.blocks(cell, sum(widths[place : last + 1]) - 6, look)
                if last > place:
                    marks.append(("SPAN", (place, number), (last, number)))
                place = last + 1
            data.append(line)
        table = Table(
            data, colWidths=widths, repeatRows=heads, style=TableStyle(marks), splitInRow=1
        )
        return [table, Spacer(1, 6)]

    def _widths(self, grid, count, width):
        """Columns by the length of what they hold, none of them tiny."""
        wants = [8] * count
        for cells in grid:
            place = 0
            for cell in cells:
                if _span(cell) == 1:
                    length = len(" ".join(cell.text_content().split()))
                    wants[place] = max(wants[place], min(length, 70))
                place += _span(cell)
        return [width * want / sum(wants) for want in wants]


def _span(cell):
    number = cell.get("colspan") or "1"
    return max(1, int(number)) if number.isdigit() else 1
