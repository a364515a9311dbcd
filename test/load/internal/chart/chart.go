// Package chart draws line charts as SVG: axes with units, a legend, spreads as whiskers. The picture has its own
// background and follows the reader's dark or light scheme, also inside an <img>, so it fits any page. Series differ in
// both colour and marker, so that either is enough to tell them apart.
package chart

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Axis is a labelled axis. Its range comes from the points.
type Axis struct {
	Label string // with the unit
	Log   bool   // logarithmic; points at or below 0 are left out
}

// Point is one value with its spread. If Low and High are equal, no spread is drawn.
type Point struct{ X, Y, Low, High float64 }

// Series is one line. Ink chooses the colour and the marker, from 0 and wrapping around, so that one subject can look the
// same in every chart, and in several series of one chart.
type Series struct {
	Name   string
	Ink    int
	Dashed bool
	Points []Point // in the order of X
}

// Chart is one picture.
type Chart struct {
	Title  string
	X, Y   Axis
	Series []Series
}

// The picture's layout, in pixels.
const (
	width, height = 760, 420
	left, right   = 70, 170 // the legend is on the right
	top, bottom   = 44, 52
	plotW         = width - left - right
	plotH         = height - top - bottom
)

const inks = 6

// style has every colour twice, for a light and a dark background. Each has a contrast of at least 4.5:1 to its own.
const style = `<style>
svg{background:#ffffff;font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
text{fill:#1f2328}.title{font-size:15px;font-weight:600}.grid{stroke:#d9dee3;stroke-width:1}.axis{stroke:#59636e;stroke-width:1}
.line{fill:none;stroke-width:2}.dash{stroke-dasharray:5 4}
.i0{stroke:#0550ae;fill:#0550ae}.i1{stroke:#bc4c00;fill:#bc4c00}.i2{stroke:#1a7f37;fill:#1a7f37}
.i3{stroke:#6e7781;fill:#6e7781}.i4{stroke:#8250df;fill:#8250df}.i5{stroke:#bf3989;fill:#bf3989}
@media (prefers-color-scheme:dark){
svg{background:#0d1117}text{fill:#e6edf3}.grid{stroke:#2d333b}.axis{stroke:#8b949e}
.i0{stroke:#58a6ff;fill:#58a6ff}.i1{stroke:#f0883e;fill:#f0883e}.i2{stroke:#3fb950;fill:#3fb950}
.i3{stroke:#a8b1ba;fill:#a8b1ba}.i4{stroke:#bc8cff;fill:#bc8cff}.i5{stroke:#ff7bb5;fill:#ff7bb5}
}
.line.i0,.line.i1,.line.i2,.line.i3,.line.i4,.line.i5{fill:none}
</style>
`

// WriteSVG draws the chart. Without a point that can be drawn, the picture says "not measured". The error is that of w.
func (c Chart) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label=%q>`+"\n",
		width, height, html.EscapeString(c.Title))
	b.WriteString(style)
	text(&b, left, 26, "start", "title", c.Title)
	series := c.drawable()
	xs, ys := scaleOf(c.X.Log, series, false), scaleOf(c.Y.Log, series, true)
	if xs.empty || ys.empty {
		text(&b, left+plotW/2, top+plotH/2, "middle", "", "not measured")
	} else {
		c.drawAxes(&b, xs, ys)
		for i, s := range series {
			drawSeries(&b, s, xs, ys)
			drawLegend(&b, s, i)
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// drawable returns the series without the points that the axes cannot show.
func (c Chart) drawable() []Series {
	bad := func(v float64, log bool) bool { return math.IsNaN(v) || math.IsInf(v, 0) || log && v <= 0 }
	var out []Series
	for _, s := range c.Series {
		var kept []Point
		for _, p := range s.Points {
			if !bad(p.X, c.X.Log) && !bad(p.Y, c.Y.Log) {
				if bad(p.Low, c.Y.Log) || bad(p.High, c.Y.Log) {
					p.Low, p.High = p.Y, p.Y
				}
				kept = append(kept, p)
			}
		}
		if s.Points = kept; len(kept) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (c Chart) drawAxes(b *strings.Builder, xs, ys scale) {
	for _, t := range ys.ticks() {
		y := top + plotH - ys.at(t)*plotH
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", left, left+plotW, y, y)
		text(b, left-8, y+4, "end", "", number(t))
	}
	for _, t := range xs.ticks() {
		x := left + xs.at(t)*plotW
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x, x, top, top+plotH)
		text(b, x, top+plotH+18, "middle", "", number(t))
	}
	fmt.Fprintf(b, `<path class="axis" fill="none" d="M%d %dV%dH%d"/>`+"\n", left, top, top+plotH, left+plotW)
	text(b, left+plotW/2, height-12, "middle", "", c.X.Label)
	fmt.Fprintf(b, `<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n",
		top+plotH/2, html.EscapeString(c.Y.Label))
}

func drawSeries(b *strings.Builder, s Series, xs, ys scale) {
	px := func(p Point) float64 { return left + xs.at(p.X)*plotW }
	py := func(v float64) float64 { return top + plotH - ys.at(v)*plotH }
	ink := s.Ink % inks
	var path strings.Builder
	for i, p := range s.Points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, px(p), py(p.Y))
	}
	fmt.Fprintf(b, `<path class="line i%d%s" d="%s"/>`+"\n", ink, dash(s), path.String())
	for _, p := range s.Points {
		if p.Low != p.High {
			fmt.Fprintf(b, `<line class="i%d" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", ink, px(p), px(p), py(p.Low), py(p.High))
		}
		marker(b, ink, px(p), py(p.Y))
	}
}

func drawLegend(b *strings.Builder, s Series, i int) {
	x, y := left+plotW+16, top+12+20*i
	fmt.Fprintf(b, `<path class="line i%d%s" d="M%d %dh28"/>`+"\n", s.Ink%inks, dash(s), x, y-4)
	marker(b, s.Ink%inks, float64(x+14), float64(y-4))
	text(b, float64(x+36), float64(y), "start", "", s.Name)
}

func dash(s Series) string {
	if s.Dashed {
		return " dash"
	}
	return ""
}

func marker(b *strings.Builder, ink int, x, y float64) {
	switch ink % 4 {
	case 0:
		fmt.Fprintf(b, `<circle class="i%d" cx="%.1f" cy="%.1f" r="3.5"/>`+"\n", ink, x, y)
	case 1:
		fmt.Fprintf(b, `<rect class="i%d" x="%.1f" y="%.1f" width="6" height="6"/>`+"\n", ink, x-3, y-3)
	case 2:
		fmt.Fprintf(b, `<path class="i%d" d="M%.1f %.1fl4 7h-8z"/>`+"\n", ink, x, y-4)
	default:
		fmt.Fprintf(b, `<path class="i%d" d="M%.1f %.1fl4 4-4 4-4-4z"/>`+"\n", ink, x, y-4)
	}
}

func text[N int | float64](b *strings.Builder, x, y N, anchor, class, s string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>`+"\n",
		float64(x), float64(y), anchor, class, html.EscapeString(s))
}
